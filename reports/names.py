"""English names of what traces and files hold as codes; figures need no other script."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scenarios.names import Language

LANGUAGES: Mapping[Language, str] = MappingProxyType(
    {
        Language.EN: "English",
        Language.NL: "Dutch",
        Language.ES: "Spanish",
        Language.PT: "Portuguese",
        Language.DE: "German",
        Language.FR: "French",
        Language.IT: "Italian",
        Language.ZH: "Chinese",
        Language.RU: "Russian",
        Language.TR: "Turkish",
        Language.JA: "Japanese",
        Language.KO: "Korean",
        Language.NO: "Norwegian",
        Language.TH: "Thai",
    }
)
PILLARS: Mapping[str, str] = MappingProxyType(
    {"service": "Service", "brand": "Brand and reputation", "commerce": "Commerce and cost"}
)

// The languages of the desk, in its order.
export const LANGUAGES = ["en", "nl", "es", "pt", "de", "fr", "it", "zh", "ru", "tr", "ja", "ko", "no", "th"];

"""Going on with runs that were interrupted: what has finished stays, what is missing is done."""

from __future__ import annotations

from pathlib import Path

from reports import manifest as manifests
from reports.drafts import Reopened
from reports.make import Answer, Voice, fill
from reports.manifest import Manifest
from reports.runs import MEASURES, read_figures, read_value
from scenarios.digest import digest
from scenarios.errors import RunError
from scenarios.model import Scenario
from sim import blocks
from sim.desk import Desk


def resume(run: Path, workers: int | None, executor: str | None, voice: Voice) -> Answer:
    """Do the runs that a folder lacks, with its own scenario, desk and settings.

    Parameters
    ----------
    run : Path
        An interrupted run folder; or the place of one whose process was killed before it came to be.
    workers, executor
        Where, see `sim.replicate.executor_named`: the runs are the same wherever they are done.

    Raises
    ------
    RunError
        If there is no such run, if another process is at work there, or if the new runs
        would not belong to the old ones: another version of what draws the numbers, or a scenario or
        desk that was changed since.
    """
    with Reopened(run) as draft:
        manifest = manifests.read(draft.folder)
        if manifest.status == "finished" and draft.folder == draft.target:
            voice.say(f"{run}: is finished, there is nothing left to do")
            return Answer("finished", read_figures(run / MEASURES), draft.folder)
        scenario = read_value(Scenario, draft.folder / "scenario.json")
        desk = read_value(Desk, draft.folder / "desk.json")
        _check(run, manifest, scenario, desk)
        done = len(blocks.load(draft.blocks, draft.folder))
        voice.say(f"{run}: {done} of {_asked(manifest)} runs are there")
        settings = manifest.settings.model_copy(update={"workers": workers, "executor": executor})
        return fill(draft, manifest, scenario, desk, settings, voice)


def _asked(manifest: Manifest) -> str:
    settings = manifest.settings
    return f"at most {settings.most}" if settings.until else str(settings.most)


def _check(run: Path, manifest: Manifest, scenario: Scenario, desk: Desk) -> None:
    now = manifests.versions()
    wrong = [
        f"it was begun with {name} {then}, this is {now.get(name, 'none')}"
        for name, then in manifest.versions.items()
        if then != now.get(name)
    ]
    sources = (("scenario.json", scenario, manifest.scenario), ("desk.json", desk, manifest.desk))
    wrong += [f"{name} was changed since" for name, value, source in sources if digest(value) != source.digest]
    if wrong:
        raise RunError(f"{run}: new runs would not belong to the old ones: {'; '.join(wrong)}; run it anew")

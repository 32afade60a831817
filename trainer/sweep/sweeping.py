"""A sweep on this machine: its storage, its trials, and what is written of them."""

from __future__ import annotations

import json
import logging
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna import Study, Trial
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import MedianPruner
from optuna.samplers import BaseSampler, PartialFixedSampler, TPESampler
from optuna.storages import BaseStorage

from edge.core.errors import StorageError
from edge.core.files import storage_errors, write_file
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe, recipe_yaml
from trainer.session.interrupt import CtrlC
from trainer.sweep.objective import PHASE_STEPS, SweptPictures, score
from trainer.sweep.result import OWN, USED, SweepResult, best_recipe, to_json, values_of
from trainer.sweep.search import SearchedKey, as_settings
from trainer.sweep.storage import opened_storage
from trainer.sweep.trials import DONE, SignsOfLife, StopSweep, run_trials

_log = logging.getLogger(__name__)

RESULT, BEST, SEARCH = "sweep.json", "best.yaml", "search.yaml"
"""The files of a sweep's folder, beside `split.csv`."""
_PLAN = "plan"
_RANDOM_FIRST, _PRUNED_FROM, _OTHERS = 8, 4, 3
"""So many trials are drawn at random before those that follow from them; none is ended early
before so many are whole, or where fewer than so many others have come as far."""
_FEW_EPOCHS = 3
_ANOTHER = 1_000_003
"""By which seeds of several sweeps on the same trial are kept apart."""


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What a sweep is to do, the same on all machines."""

    recipe: str
    variant: str
    settings: tuple[str, ...]
    keys: tuple[SearchedKey, ...]
    pictures: SweptPictures
    max_minutes: float | None

    def read(self, values: dict[str, Any] | None = None) -> Recipe:
        """The recipe, with `values` by key; see `read_recipe` for errors."""
        settings = (*self.settings, *as_settings(values or {}))
        return read_recipe(self.recipe, variant=self.variant, settings=settings)


def sweep(
    plan: SweepPlan,
    out: Path,
    *,
    storage: str,
    name: str | None,
    total: int,
    signs: SignsOfLife | None = None,
) -> SweepResult:
    """Runs trials, with other machines, until `total` are done, and writes what they come to.

    A sweep that was begun is gone on with. In `out` are `sweep.json`, `best.yaml`, `search.yaml`
    and `split.csv`, also after Ctrl-C, of what is done until then.

    Args:
        plan: the recipe, what is searched, and on which pictures.
        out: a folder of this machine.
        storage: a journal file or the address of a database; see `opened_storage`.
        name: of the sweep, in a storage that may have several; None: that of the recipe.
        total: the trials of all machines together.
        signs: by which processes know of one another.

    Raises:
        StorageError: the storage cannot be used, or holds another sweep of this name; or `out`
            cannot be written.
        StopSweep: Ctrl-C; the trial that was running is given back.
        As `trainer.train`.
    """
    with storage_errors("create", out):
        out.mkdir(parents=True, exist_ok=True)
    with CtrlC() as ctrl_c, ctrl_c.second_ends(), opened_storage(storage) as opened:
        study = _study(opened, name or plan.read().name, plan)
        prepared = plan.pictures.prepare(plan.read())
        _agree(study, plan, prepared.digest, storage)
        split = prepared.write_split(out)
        del prepared  # each trial has its own
        searched = {each.key: each.to_json() for each in plan.keys}
        write_file(out / SEARCH, yaml.safe_dump(searched, sort_keys=False, allow_unicode=True))

        def check_stop() -> None:
            if ctrl_c.wanted:
                raise StopSweep

        def objective(trial: Trial) -> float:
            values = _drawn(study, trial, plan)
            told = ", ".join(f"{key} {value}" for key, value in values.items())
            _log.info(f"trial {trial.number}: {told}")
            found = score(
                trial,
                partial(plan.read, values),
                plan.pictures,
                split=split,
                max_minutes=plan.max_minutes,
                check_stop=ctrl_c.check_stop,
            )
            _log.info(f"trial {trial.number}: log loss {found:.4f}")
            return found

        try:
            run_trials(study, total, objective, signs=signs, check_stop=check_stop)
        finally:
            found = SweepResult(plan.keys, total, tuple(study.get_trials(deepcopy=False)))
            _write(out, plan, found)
    return found


def _study(storage: BaseStorage, name: str, plan: SweepPlan) -> Study:
    # The head learns from pooled outputs in seconds, and says little of the phases behind it.
    warm_up = PHASE_STEPS if len(plan.read().phases) > 1 else _FEW_EPOCHS
    return optuna.create_study(
        study_name=name,
        storage=storage,
        pruner=MedianPruner(_PRUNED_FROM, warm_up, n_min_trials=_OTHERS),
        direction="minimize",
        load_if_exists=True,
    )


def _agree(study: Study, plan: SweepPlan, pictures: str, storage: str) -> None:
    """Passes a new sweep, or one that was begun with the same plan and pictures.

    Raises:
        StorageError: it was begun with others.
    """
    mine = {
        "recipe": recipe_yaml(plan.read()),
        "search": {each.key: each.to_json() for each in plan.keys},
        "pictures": pictures,
        "seed": plan.pictures.seed,
        "max_minutes": plan.max_minutes,
    }
    mine = json.loads(json.dumps(mine))
    if _PLAN not in study.user_attrs:
        study.set_user_attr(_PLAN, mine)
    theirs = study.user_attrs[_PLAN]  # of two that begin at once, both read what was written last
    if other := [key for key in mine if theirs.get(key) != mine[key]]:
        raise StorageError(
            f"{storage}: the sweep {study.study_name} there was begun with another {other[0]}: "
            "give the same as then, or another --name"
        )


def _drawn(study: Study, trial: Trial, plan: SweepPlan) -> dict[str, Any]:
    """The values of a trial by key: those of the recipe for the first, else as others did best.

    Chance goes by the trial's number, so that no two processes draw alike.
    """
    seed = (plan.pictures.seed * _ANOTHER + trial.number) % 2**32
    sampler: BaseSampler = TPESampler(n_startup_trials=_RANDOM_FIRST, constant_liar=True, seed=seed)
    has_own = all(each.has_own for each in plan.keys)
    if has_own and (trial.number == 0 or trial.user_attrs.get(OWN)):
        trial.set_user_attr(OWN, True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = PartialFixedSampler({each.key: each.own for each in plan.keys}, sampler)
    study.sampler = sampler
    values = {each.key: each.suggested(trial) for each in plan.keys}
    trial.set_user_attr(USED, values)
    return values


def _write(out: Path, plan: SweepPlan, found: SweepResult) -> None:
    text = json.dumps(to_json(found), indent=2, ensure_ascii=False)
    write_file(out / RESULT, text + "\n")
    if found.best is not None:
        best = plan.read(dict(values_of(found.best)))
        write_file(out / BEST, best_recipe(plan.read(), best, found))
    _log.info(
        f"{sum(trial.state in DONE for trial in found.trials)} of {found.total} trials are done"
    )

"""Several processes that share a sweep of a cheap function, for the tests.

    python -m tests.trainer.sweep.workers PLACE TOTAL PROCESSES

It prints the id of each process. The first one is to be killed: it writes the number of its trial
to `HELD`, in the folder in PILAH_TEST_FOLDER, and holds it for ever. The others begin then.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import optuna
from optuna import Trial

from edge.core.files import write_file
from trainer.sweep.storage import opened_storage
from trainer.sweep.trials import ALIVE, SignsOfLife, run_trials

HELD = "held.txt"
DEAD_AFTER, LOOK_EVERY = 5.0, 0.05


def work(place: str, total: int, folder: Path, *, victim: bool) -> None:
    """Runs trials until all are done; the victim never ends its first one."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        trial.set_user_attr("process", os.getpid())
        if victim:
            # Not while it writes: whoever dies then leaves the journal locked for half a minute.
            while ALIVE not in study.get_trials(deepcopy=False)[trial.number].user_attrs:
                threading.Event().wait(LOOK_EVERY)
            write_file(folder / HELD, f"{trial.number}\n")
            signal.pause()
        while not (folder / HELD).exists():
            threading.Event().wait(LOOK_EVERY)
        with (folder / "ended.txt").open("a", encoding="utf-8") as file:
            file.write(f"{trial.number}\n")
        return x * x

    with opened_storage(place) as storage:
        study = optuna.create_study(study_name="drawn", storage=storage, load_if_exists=True)
        signs = SignsOfLife(60 if victim else LOOK_EVERY, DEAD_AFTER, LOOK_EVERY)
        run_trials(study, total, objective, signs=signs)


def main(place: str, total: str, processes: str) -> None:
    """Starts the processes and waits for them."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = Path(os.environ["PILAH_TEST_FOLDER"])
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if child == 0:
            work(place, int(total), folder, victim=number == 0)
            os._exit(0)
        children.append(child)
        print(child, flush=True)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main(*sys.argv[1:])

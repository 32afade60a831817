"""The exceptions of pilah: one named class per mistake.

Every message says what was wrong, where, what was received and what to do. `exit_code` is the exit
code that a command ends with; `deploy/programs.md` lists them all.
"""

from __future__ import annotations

from pathlib import Path

from edge.core.redaction import redacted

EXIT_OK = 0
EXIT_NO = 1
"""The command ran, and the result is negative: a gate failed, or a check found errors."""
EXIT_USAGE = 2
EXIT_DATA = 65
"""The input cannot be used: pictures, a bundle or a run (sysexits EX_DATAERR)."""
EXIT_UNAVAILABLE = 69
"""Something that is needed is missing: a package, weights, hardware (EX_UNAVAILABLE)."""
EXIT_MACHINE = 71
"""A motor is where it should not be, and somebody must look at it before the next start."""
EXIT_IO = 74
"""Writing or reading failed: a full disk, a missing permission (EX_IOERR)."""
EXIT_CONFIG = 78
"""A station file or a recipe is wrong (EX_CONFIG)."""
EXIT_INTERRUPTED = 130


class PilahError(Exception):
    """The base of all errors with a message for the user; passwords in the message are hidden."""

    exit_code = EXIT_USAGE

    def __init__(self, *said: object) -> None:
        super().__init__(*(redacted(part) if isinstance(part, str) else part for part in said))


class UsageError(PilahError, ValueError):
    """A command was called with arguments that do not fit together."""


class StorageError(PilahError, OSError):
    """A file could not be written or read: full disk, missing permission, missing folder."""

    exit_code = EXIT_IO


class FileLockedError(StorageError):
    """Another process holds the lock of a file or a folder."""


# Pictures


class UnreadableImageError(PilahError, ValueError):
    """A picture cannot be decoded completely."""

    exit_code = EXIT_DATA


class PictureTooLargeError(UnreadableImageError):
    """A picture claims more pixels, or has more bytes, than pilah decodes."""


class PictureSetError(PilahError, ValueError):
    """A folder, manifest or class map does not give a usable set of labelled pictures."""

    exit_code = EXIT_DATA


class LabelListError(PictureSetError):
    """A file is not a list of labels with one valid label on each line."""


# Bundles


class BundleError(PilahError, ValueError):
    """A bundle must not be run; the base of the reasons."""

    exit_code = EXIT_DATA


class TrialError(PilahError, RuntimeError):
    """A bundle's model could not be tried, for a reason that is not the model's fault."""

    exit_code = EXIT_UNAVAILABLE


class BundleMissingError(BundleError):
    """There is no bundle at the path given."""


class BundleFormatError(BundleError):
    """`bundle.json` or `labels.txt` is not what the schema says."""


class BundleVersionError(BundleError):
    """The bundle's schema version is one that this pilah does not know."""


class BundleFileChangedError(BundleError):
    """A file's SHA-256 differs from what `bundle.json` says."""


class BundleFileMissingError(BundleError):
    """`bundle.json` names a file that is not there."""


class BundleFileExtraError(BundleError):
    """The bundle has a file that `bundle.json` does not name."""


class SignatureMissingError(BundleError):
    """The bundle is not signed, but the station file pins keys."""


class SignatureFormatError(BundleError):
    """The bundle's file `signature` does not hold a signature in the right form."""


class SignatureKeyError(BundleError):
    """The bundle was signed with a key that is not pinned."""


class SignatureWrongError(BundleError):
    """The signature does not match this `bundle.json`."""


class LabelCountError(BundleError):
    """The number of labels does not fit the model's output."""


class LabelLaneError(BundleError):
    """A label of the model has no lane in the station that is to sort by it."""


class ModelInputError(BundleError):
    """The model's input does not have the shape and type that the bundle's input spec gives."""


class ModelOutputError(BundleError):
    """The model's output is not one row of float32 scores."""


class GoldenError(BundleError):
    """A golden picture does not reproduce the tensor or the scores recorded for it."""


class BundleNameError(BundleError):
    """A bundle to install has another name than the one that is active."""


class BundleOlderError(BundleError):
    """A bundle to install is not newer than the one that is active."""


class BundleTakenError(BundleError):
    """Another bundle of the same name and version was installed before."""


class BundleLinkError(StorageError):
    """A bundle lies in the place where the link to the installed bundle should be."""


class InstallLockedError(StorageError):
    """Another process is installing at the same station."""


class RollbackError(PilahError):
    """The station has no version to go back to."""

    exit_code = EXIT_NO


class PublicKeyError(PilahError, ValueError):
    """A file does not hold an Ed25519 public key."""

    exit_code = EXIT_DATA


class RuntimeMissingError(PilahError, ImportError):
    """No TFLite runtime is installed."""

    exit_code = EXIT_UNAVAILABLE


class PackageMissingError(PilahError, ImportError):
    """A package is not installed that only some wish for; the message says how to install it."""

    exit_code = EXIT_UNAVAILABLE


# Stations


class ConfigError(PilahError, ValueError):
    """A station file or a recipe is wrong. `problems` has a line for each mistake found."""

    exit_code = EXIT_CONFIG

    def __init__(self, path: Path | str, problems: list[str]) -> None:
        self.path = Path(path)
        self.problems = [redacted(problem) for problem in problems]
        head = [f"{path} has {len(problems)} mistakes"] if len(problems) > 1 else []
        super().__init__("\n".join([*head, *(f"{path}:{problem}" for problem in self.problems)]))


class ConfigUnreadError(ConfigError):
    """A station file, a recipe, or a file that it names cannot be read now; nothing else is wrong.

    The cause is a failing card, a disk that is not mounted yet, or a permission. The same file may
    be readable the next time, so a service must try again.
    """

    exit_code = EXIT_IO


class RegionError(PilahError, ValueError):
    """The station's region does not lie within the camera's picture. The camera may start with
    another size the next time, so the exit code has a service try again."""

    exit_code = EXIT_UNAVAILABLE


class CameraError(PilahError, OSError):
    """The camera gives no pictures."""

    exit_code = EXIT_UNAVAILABLE


class TriggerError(PilahError, OSError):
    """What tells a station of items cannot be used."""

    exit_code = EXIT_UNAVAILABLE


class PinError(PilahError, OSError):
    """The GPIO pins of this machine cannot be used."""

    exit_code = EXIT_UNAVAILABLE


class HomeSwitchError(PinError):
    """A motor did not find its home switch. To try again without an end would wear it down."""

    exit_code = EXIT_MACHINE


class EndSwitchError(PinError):
    """A motor reached its end switch, where it must never be."""

    exit_code = EXIT_MACHINE


class LedgerError(PilahError, OSError):
    """The ledger cannot be opened or written."""

    exit_code = EXIT_IO


class LedgerDamagedError(LedgerError):
    """The ledger's file is damaged or was overwritten."""


class LedgerMissingError(LedgerError):
    """There is no ledger in the place where one should be read."""


class LedgerRefusedError(LedgerError):
    """A station must not start with this ledger until a person has decided what to do."""


class LedgerVersionError(LedgerRefusedError):
    """The ledger was written by a newer pilah."""


class LedgerForeignError(LedgerRefusedError):
    """The file was made by another program or a person, and never was a ledger."""


class LedgerInUseError(LedgerRefusedError):
    """Another process is writing the ledger."""


class NeighbourError(PilahError, OSError):
    """Another station of this machine, which runs, has what this one needs for itself alone."""

    exit_code = EXIT_UNAVAILABLE


# Deliveries


class DeliveryFileError(PilahError, OSError):
    """The file of deliveries cannot be opened, read or written."""

    exit_code = EXIT_IO


class GoodsListError(PilahError, ValueError):
    """A list of expected goods has mistakes, and nothing of it was imported."""

    exit_code = EXIT_DATA


class DeliveryRefusedError(PilahError):
    """What a delivery has come to does not allow what was asked for; `kind` says why in a word."""

    exit_code = EXIT_NO
    kind = ""


class ScoresFileError(PilahError, ValueError):
    """A file is not one of the scores of labelled pictures, or of another model."""

    exit_code = EXIT_DATA


class SimulationMissingError(PilahError, ImportError):
    """A station is to be simulated, and the simulation is not installed."""

    exit_code = EXIT_UNAVAILABLE


class StuckError(PilahError, RuntimeError):
    """A thread of the station does not end."""

    exit_code = EXIT_UNAVAILABLE


class CodesMissingError(PilahError, ImportError):
    """A station is to read codes in pictures, and what reads them is not installed."""

    exit_code = EXIT_UNAVAILABLE


class ScannerError(PilahError, OSError):
    """A hand scanner cannot be opened or read."""

    exit_code = EXIT_UNAVAILABLE


class StatusRefusedError(StorageError):
    """The status of a running station lies where this user may not read."""


class ControlError(PilahError, ValueError):
    """What was sent to a running station, or came from it, is no message of theirs."""

    exit_code = EXIT_UNAVAILABLE


class ControlUnreachableError(PilahError, OSError):
    """A station that does not run, or does not answer, was asked for something."""

    exit_code = EXIT_UNAVAILABLE


class ControlRefusedError(PilahError):
    """The state of a station does not allow what was asked for."""

    exit_code = EXIT_NO


# Publishing


class OutboxError(PilahError, OSError):
    """The file that has an outbox cannot be read now."""

    exit_code = EXIT_IO


class PublisherFileError(PilahError, OSError):
    """The publisher's own file cannot be opened or written."""

    exit_code = EXIT_IO


class ReceiverSetupError(PilahError, ValueError):
    """What a receiver needs is wrong: a certificate or a password file that cannot be read."""

    exit_code = EXIT_CONFIG


# The operator's pages


class AccountsError(PilahError, ValueError):
    """The file of those who may sign in to the pages is missing, damaged or cannot be read."""

    exit_code = EXIT_CONFIG


class PagesUnavailableError(PilahError, OSError):
    """The pages cannot be served at their address."""

    exit_code = EXIT_UNAVAILABLE

"""The classifier that all of pilah uses: a bundle's model with its preprocessing and thresholds."""

from __future__ import annotations

from collections.abc import Callable

import cv2

from edge.core.errors import LabelCountError, ModelInputError, ModelOutputError
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, preprocess
from edge.core.model.bundle import Bundle
from edge.core.model.interpreter import Interpreter, Kernels
from edge.core.model.trial import check_bundle_harmless
from edge.core.terminal.wording import number_of
from edge.core.verdict import Prediction, Scores, Verdict, decide


class Classifier:
    """The model of a bundle on this machine; not to be shared between threads.

    Example:
        >>> from pathlib import Path
        >>> from edge.core.images.image_file import read_image
        >>> from edge.core.model.bundle import read_bundle
        >>> classifier = Classifier(read_bundle(Path("bundles/first")))
        >>> prediction = classifier.predict(read_image(Path("photos/red/1.png")))
        >>> verdict = classifier.verdict(prediction)
        >>> verdict.label, verdict.reject
        ('red', None)
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, kernels: Kernels = "default") -> None:
        """Loads the bundle's model and checks that its shapes are what the bundle says.

        Raises:
            LabelCountError: the number of labels does not match the model's output.
            ModelInputError, ModelOutputError: the type or shape is not that of the contract.
            BundleFormatError: the file is not a model, or the model does harm.
            TrialError: the model could not be tried.
        """
        # OpenCV's own threads would compete with the interpreter's for the same cores.
        cv2.setNumThreads(1)
        self.bundle = bundle
        self.spec = bundle.manifest.input
        self.labels = bundle.labels
        check_bundle_harmless(bundle)
        self.interpreter = Interpreter(bundle.model, threads=threads, kernels=kernels)
        if self.interpreter.classes != len(bundle.labels):
            raise LabelCountError(
                f"{bundle.path}: labels.txt has {number_of(len(bundle.labels), 'labels')}, the "
                f"model gives {number_of(self.interpreter.classes, 'scores')}: they are not from "
                "the same training"
            )
        if self.interpreter.input_shape != self.spec.shape:
            raise ModelInputError(
                f"{bundle.path}: the model takes {self.interpreter.input_shape} (height, width, "
                f"channels), bundle.json says {self.spec.shape}: convert the run again"
            )
        if self.interpreter.has_unknown != (bundle.manifest.unknown is not None):
            has, says = ("a", "none") if self.interpreter.has_unknown else ("no", "one")
            raise ModelOutputError(
                f"{bundle.path}: the model has {has} novelty score, bundle.json "
                f"tells of {says}: convert the run again"
            )

    def scores(self, image: Image, *, box: Box | None = None) -> Scores:
        """Class probabilities, float32 (classes,), of a uint8 (height, width, 3) BGR image.

        Args:
            image: the station's region, or a whole photograph.
            box: the item's own box, used by models of `crop: item`.
        """
        return self.predict(image, box=box).scores

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        """Class probabilities and novelty score of a uint8 (height, width, 3) BGR image.

        Args:
            image: the station's region, or a whole photograph.
            box: the item's own box, used by models of `crop: item`.
            meanwhile: begins what another thread can do while the model computes; it is called as
                soon as the model's input is ready.
        """
        preprocess(image, self.spec, box=box, out=self.interpreter.tensor)
        if meanwhile is not None:
            meanwhile()
        return self.interpreter.answer()

    def verdict(self, prediction: Prediction) -> Verdict:
        """The verdict on a prediction for one picture, by the bundle's own thresholds."""
        manifest = self.bundle.manifest
        return decide(
            prediction.scores,
            self.labels,
            manifest.accept,
            title=self.bundle.title,
            digest=self.bundle.digest,
            novelty=prediction.novelty,
            unknown=manifest.unknown_threshold,
        )

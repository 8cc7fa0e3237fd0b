"""A network predicts and is measured, whatever its task.

open_predictor --> Predictor --predict_inputs--> Prediction, one an input, streamed
                             --measure_samples--> Metric
open_any ------> of a pipeline a ChainPredictor, whose steps are Predictors
"""

from zoohub.predicting.chains import AnyPredictor, open_any
from zoohub.predicting.opening import open_predictor
from zoohub.predicting.predicting import predict_inputs
from zoohub.predicting.predictor import Predictor
from zoohub.tasks.results import Label, Prediction

__all__ = [
    "AnyPredictor",
    "Label",
    "Prediction",
    "Predictor",
    "open_any",
    "open_predictor",
    "predict_inputs",
]

"""A network predicts and is measured, whatever its task.

open_predictor --> Predictor --predict_inputs--> Prediction, one an input, streamed
                             --measure_samples--> Metric
"""

from zoohub.predicting.predicting import predict_inputs
from zoohub.predicting.predictor import Predictor, open_predictor
from zoohub.tasks.results import Label, Prediction

__all__ = ["Label", "Prediction", "Predictor", "open_predictor", "predict_inputs"]

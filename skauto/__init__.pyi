from skauto._compress import compress as compress
from skauto._datasets import load_online_shoppers as load_online_shoppers
from skauto._persistence import load_model as load_model
from skauto._persistence import save_model as save_model
from skauto._version import __version__ as __version__
from skauto.automl._candidate import Candidate as Candidate
from skauto.automl._classifier import AutoClassifier as AutoClassifier

"""What the doctests of src/ need too, which tests/ does not see."""

import os

# Keras takes its backend as it is imported, by whichever test comes first.
os.environ["KERAS_BACKEND"] = "torch"

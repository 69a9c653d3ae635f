"""Calls as a user makes them, without the checkers of annotations that pytest puts around the package.

Under pytest a wrong word or shape is caught by its annotation, before the message that users see is reached.
"""

import subprocess
import sys

_PROGRAM = """
import lossatlas as la
{setup}
for call in {calls!r}:
    try:
        eval(call)
    except la.InputError as error:
        print(str(error).replace(chr(10), " // "))
    except Exception as error:
        print(f"{{type(error).__name__}} instead of InputError: {{error}}")
    else:
        print("nothing was refused")
"""


def refusals(setup, *calls):
    """The message of the InputError that each expression raises, after ``setup``, in an interpreter of its own."""
    program = _PROGRAM.format(setup=setup, calls=calls)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(zip(calls, done.stdout.splitlines(), strict=True))

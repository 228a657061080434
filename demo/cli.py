"""The command line: `python -m demo COMMAND`, and what each is answered with.

Results go to standard output, sentences about what is wrong to standard error. The exit status is
0, or 2 where the input was refused (in a folder: where any picture of it was). Of `replay` it is 1
where numbers differ from the record, as of `diff`.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from demo.cli_options import REFUSED
from demo.cli_parser import build_parser
from demo.core.allocator import keep_large_buffers
from demo.core.errors import DemoError, NoFaceError

if TYPE_CHECKING:
    from demo.commands import MakeToolbox

DIFFERENT = 1
INTERRUPTED = 130
GPU_FULL = "The GPU's memory is full. End what else uses it, or choose --device cpu."


def main(arguments: Sequence[str] | None = None, make: MakeToolbox | None = None) -> int:
    """Run one command and return the exit status.

    Args:
        arguments: without the program's name; None takes those of the process.
        make: makes the models from the device's name, given weights and checkpoints of other
            people's detectors and super-resolution networks; None takes
            ``demo.core.analysis.make_toolbox``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without × and → shows ? instead of failing.
            stream.reconfigure(errors="replace")
    options = build_parser().parse_args(arguments)
    keep_large_buffers()
    # Pillow warns about broken EXIF with a path of its own; the picture is read all the same.
    warnings.filterwarnings("ignore", module="PIL")
    # Only here, so that --help does not wait seconds for torch.
    from demo import (
        commands,
        defences_command,
        replay_command,
        scoring_command,
        sheet_command,
        study_command,
        train_command,
    )
    from demo.core.analysis import make_toolbox
    from demo.core.out_of_memory import is_out_of_memory

    command = {
        "analyse": commands.analyse_command,
        "defences": defences_command.defences_command,
        "attack": commands.attack_command,
        "score": scoring_command.score_command,
        "restore": commands.restore_command,
        "sheet": sheet_command.sheet_command,
        "replay": replay_command.replay_command,
        "study": study_command.study_command,
        "train": train_command.train_command,
    }[options.command]
    try:
        failed = command(options, make or make_toolbox)
        return (DIFFERENT if options.command == "replay" else REFUSED) if failed else 0
    except NoFaceError as refused:
        print(f"{refused} That is --box X0 Y0 X1 Y1, or --whole.", file=sys.stderr)
        return REFUSED
    except DemoError as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except RuntimeError as problem:
        if not is_out_of_memory(problem):
            raise
        print(GPU_FULL, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        # The reader (such as head) has seen enough; closing must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED

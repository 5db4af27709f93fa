"""`sealwright` and ``python -m sealwright``: the one place where the command meets the server's own code.

Each command on a home directory loads only the modules that it works with.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealwright.cli.server_side import (
        BackupSummary,
        CheckResult,
        InitOptions,
        NewIssuer,
        NewServer,
        ServerSide,
        ServingServer,
        VerifiedRecord,
    )


@contextmanager
def _loading() -> Iterator[None]:
    """Loading makes many objects and hardly any garbage: to look for it again and again would take a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _init(options: InitOptions) -> NewServer:
    with _loading():
        from sealwright.app.init import found
    return found(options)


def _serve(home: Path, tell: Callable[[ServingServer], None]) -> None:
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # one that comes early waits; it would end the process
    with _loading():
        from sealwright.app.serve import serve
    serve(home, tell)


def _doctor(home: Path) -> Sequence[CheckResult]:
    with _loading():
        from sealwright.app.doctor import doctor
    return doctor(home)


def _set_break_glass_password(home: Path, password: str | None) -> str:
    with _loading():
        from sealwright.app.recover import set_break_glass_password
    return set_break_glass_password(home, password)


def _remove_break_glass_password(home: Path) -> bool:
    with _loading():
        from sealwright.app.recover import remove_break_glass_password
    return remove_break_glass_password(home)


def _recover_approval(home: Path, guarded: str) -> None:
    with _loading():
        from sealwright.app.recover_approval import recover_approval
    recover_approval(home, guarded)


def _recover_account(home: Path, name: str, password: str | None, end_certificates: bool) -> tuple[str, int]:
    with _loading():
        from sealwright.app.recover import recover_account
    return recover_account(home, name, password, end_certificates=end_certificates)


def _export_root_key(home: Path, directory: Path) -> Path:
    with _loading():
        from sealwright.app.root_key import export_root_key
    return export_root_key(home, directory)


def _rotate_issuer(home: Path, root_key: Path | None) -> NewIssuer:
    with _loading():
        from sealwright.app.root_key import rotate_issuer
    return rotate_issuer(home, root_key)


def _create_backup(home: Path, target: Path, with_key: bool) -> BackupSummary:
    with _loading():
        from sealwright.app.backup import create_backup
    return create_backup(home, target, with_key=with_key)


def _check_backup(file: Path) -> BackupSummary:
    with _loading():
        from sealwright.app.backup import check_backup
    return check_backup(file)


def _restore_backup(home: Path, file: Path, key_file: Path | None) -> BackupSummary:
    with _loading():
        from sealwright.app.backup import restore_backup
    return restore_backup(home, file, key_file)


def _verify_record(file: Path, key_file: Path) -> VerifiedRecord:
    with _loading():
        from sealwright.app.verify_record import verify_record
    return verify_record(file, key_file)


def _server_side() -> ServerSide:
    from sealwright.cli.server_side import ServerSide

    return ServerSide(
        init=_init,
        serve=_serve,
        doctor=_doctor,
        recover_account=_recover_account,
        set_break_glass_password=_set_break_glass_password,
        remove_break_glass_password=_remove_break_glass_password,
        recover_approval=_recover_approval,
        export_root_key=_export_root_key,
        rotate_issuer=_rotate_issuer,
        create_backup=_create_backup,
        check_backup=_check_backup,
        restore_backup=_restore_backup,
        verify_record=_verify_record,
    )


def main() -> None:
    """Run the command that the process was started with."""
    # cryptography counts the bytes of a name where X.520 counts characters, and warns of each that is read
    warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
    with _loading():
        from sealwright.cli import run
    sys.exit(run(sys.argv[1:], server_side=_server_side))


if __name__ == "__main__":
    main()

"""Stand for an installer (pip, conda, apt …): install nothing, and answer what only asks.

A program of its own, first in PATH wherever a notebook runs: `idle_installer.py NAME WORDS…`. What
only asks (`pip freeze`, `conda list`) goes to the real program; `sudo` and `uv run` run the rest
of their line. What was left out is told in a file, which `installers` makes notes of.
"""

import os
import re
import sys

CHANGES = {
    "npm": "install i ci add update upgrade up uninstall remove rm init create exec x link audit",
    "pnpm": "install i add update up remove rm init create dlx exec import",
    "yarn": "install add up upgrade remove init create dlx global",
    "gem": "install update uninstall",
    "bundle": "install update add",
    "poetry": "install add update remove lock sync init new self",
    "pipenv": "install uninstall update upgrade sync lock",
    "pdm": "install add update remove sync lock init",
    "pixi": "install add update upgrade remove global init",
    "rye": "sync add remove install init",
    "cargo": "install add update fetch",
    "go": "install get",
}
"""Subcommands that install or fetch, of programs whose other subcommands run as they are."""
R_INSTALLS = re.compile(r"\b(install\.packages|install_\w+|BiocManager|update\.packages|pak::)")
NAMES = (
    *CHANGES,
    *("npx", "bunx", "Rscript", "zypper", "flatpak", "nix-env"),
    *("pip", "pip3", "uv", "pipx", "easy_install", "conda", "mamba", "micromamba"),
    *("apt", "apt-get", "aptitude", "dpkg", "yum", "dnf", "apk", "pacman", "snap", "brew", "port"),
    *("choco", "winget", "sudo"),
    *("jupyter", "jupyter-nbconvert"),
)
"""Programs that are stood for: installers, and what exports the notebook itself."""
MODULES = ("pip", "uv", "pipx", "conda", "ensurepip", "pipenv", "poetry")
"""Modules that are installers when they are run with `python -m`."""
LEFT_OUT_VARIABLE = "NOTEBOOK_LEFT_OUT"
"""The variable with the path of the file that tells what was left out."""
FOLDER_VARIABLE = "NOTEBOOK_COMMANDS"
"""The variable with the folder of the programs that stand for installers."""
PIP_QUESTIONS = frozenset({"freeze", "list", "show", "check", "inspect", "debug", "help", "hash"})
QUESTIONS = {
    "pip": PIP_QUESTIONS,
    "uv": frozenset({"version", "help", "tree"}),
    "pipx": frozenset({"list", "environment"}),
    "conda": frozenset({"list", "info", "compare", "help"}),
    "apt": frozenset({"list", "show", "policy", "help"}),
    "brew": frozenset({"list", "info", "config", "doctor"}),
    "snap": frozenset({"list", "info", "version"}),
}
"""Subcommands that change nothing, by the name of the installer or of one like it."""
LIKE = {"mamba": "conda", "micromamba": "conda", "apt-get": "apt", "aptitude": "apt"}
SUBCOMMAND_QUESTIONS = {
    "config": ("list", "get", "debug", "--show", "--get"),
    "cache": ("dir", "info", "list"),
    "env": ("list",),
}
"""Subcommands that change nothing if this word comes next."""
RUNNERS = frozenset({"uv", "conda", "mamba", "micromamba", "poetry", "pipenv", "pdm", "pixi"})
"""Installers whose `run` runs the rest of its line in an environment."""
GENERAL_QUESTIONS = frozenset({"--version", "-V", "-v", "--help", "-h"})
DPKG_CHANGES = frozenset(
    {"-i", "--install", "-r", "--remove", "-P", "--purge", "--configure", "--unpack", "-a"}
)
SUDO_OPTIONS_WITH_VALUE = frozenset({"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "-r"})


def installer_of(program):
    """Return the name of the installer that a program's path or name stands for, or None."""
    stem = re.sub(r"\.(exe|cmd|bat)$", "", re.split(r"[/\\]", program)[-1].lower())
    if re.fullmatch(r"pip[\d.]*", stem):
        return "pip"
    return next((name for name in NAMES if name.lower() == stem), None)


def split_command(words):
    """Return an installer's name and its own words, where a command line calls one, or None."""
    if not words:
        return None
    name = installer_of(words[0])
    if name is not None:
        return name, list(words[1:])
    if not re.fullmatch(r"(python|pypy)[\d.]*w?(\.exe)?", re.split(r"[/\\]", words[0])[-1].lower()):
        return None
    for position, word in enumerate(words[1:], start=1):
        if word.startswith("-m"):  # `-m pip` or `-mpip`
            module, *rest = ([word[2:]] if word[2:] else []) + list(words[position + 1 :]) or [""]
            return (module, rest) if module in MODULES else None
        if not word.startswith("-"):
            break
    return None


def changes_something(name, words):
    """Return whether a program that does more than to install would install, or None for others."""
    if name in {"jupyter", "jupyter-nbconvert"}:
        return name != "jupyter" or words[:1] == ["nbconvert"]
    if name == "dpkg":
        return bool(DPKG_CHANGES & set(words))
    if name == "Rscript":
        return R_INSTALLS.search(" ".join(words)) is not None
    plain = [word for word in words if not word.startswith("-")]
    if name in CHANGES and (plain or name != "yarn"):  # `yarn` alone installs
        return plain[:1] != [] and plain[0] in CHANGES[name].split()
    return None


def only_asks(name, words):
    """Return whether an installer that gets these words would change nothing."""
    changes = changes_something(name, words)
    if changes is not None:
        return not changes
    if name == "uv" and words[:1] == ["pip"]:
        name, words = "pip", words[1:]
    plain = [word for word in words if not word.startswith("-")]
    if not plain:
        asks = bool(GENERAL_QUESTIONS & set(words))
        return asks or (not words and name not in {"ensurepip", "yarn"})
    if plain[0] in SUBCOMMAND_QUESTIONS:
        return any(word in SUBCOMMAND_QUESTIONS[plain[0]] for word in words)
    return plain[0] in QUESTIONS.get(LIKE.get(name, name), frozenset())


def line_to_run(name, words):
    """Return the command line that `sudo`, `uv run` or `conda run` would run, or None."""
    if name == "sudo":
        words = list(words)
        while words and (words[0].startswith("-") or re.match(r"\w+=", words[0])):
            takes_value = words.pop(0) in SUDO_OPTIONS_WITH_VALUE
            del words[: int(takes_value)]
        return words
    if name in RUNNERS and words[:1] == ["run"]:
        rest = list(words[1:])
        while rest and rest[0].startswith("-"):
            takes_value = rest.pop(0) in {"-n", "-p", "--name", "--prefix", "--with", "--python"}
            del rest[: int(takes_value)]
        return rest
    return None


def tell_left_out(name, words):
    """Tell the notebook's kernel that a command was left out."""
    path = os.environ.get(LEFT_OUT_VARIABLE)
    if path:
        line = " ".join([name, *words]).replace("\n", " ")[:150]
        try:
            with open(path, "a", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 (light)
                file.write(line + "\n")
        except OSError:
            pass


def environment_without_commands():
    """Return the environment in which the real programs are found."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    environment = dict(os.environ)
    for variable in ("PATH", "PYTHONPATH"):
        parts = [p for p in environment.get(variable, "").split(os.pathsep) if p and p != folder]
        environment[variable] = os.pathsep.join(parts)
    if not environment["PYTHONPATH"]:
        del environment["PYTHONPATH"]
    return environment


def run_program(words, environment):
    """Become a program, or run it to its end where that can't be, and return its exit code."""
    try:
        if os.name != "nt":
            os.execvpe(words[0], words, environment)  # noqa: S606 (a line of the notebook's)
        import subprocess

        return subprocess.call(words, env=environment)  # noqa: S603 (as above)
    except OSError as error:
        sys.stderr.write(f"{words[0]}: {error.strerror}\n")
        return 127


def ask_real_program(name, words):
    """Run the real program on a question, where there is one."""
    environment = environment_without_commands()
    if name == "pip":
        return ask_pip(words, environment)
    import shutil

    program = shutil.which(name, path=environment["PATH"])
    if program is None and (name in CHANGES or name == "Rscript"):
        return run_program([name, *words], environment)  # it is not found, as anywhere
    if program is None:
        tell_left_out(name, words)
        return 0
    return run_program([program, *words], environment)


def ask_pip(words, environment):
    """Answer what is installed, with pip or without; not every environment has it.

    pip itself gives up where a folder of packages can't be read, as behind some walls.
    """
    import importlib.util
    import site

    site.main()  # this program was started without
    subcommand, *names = [word for word in words if not word.startswith("-")] or [""]
    if subcommand in {"freeze", "list", "show"}:
        lines = list_packages(subcommand, names, formats=" ".join(words))
        sys.stdout.write("\n".join([*lines, ""]))
        return 1 if subcommand == "show" and not lines else 0
    if importlib.util.find_spec("pip") is None:
        return 0
    return run_program([sys.executable, "-m", "pip", *words], environment)


def list_packages(subcommand, wanted, *, formats):
    """Return the lines of `pip freeze`, `pip list` or `pip show NAME`."""
    from importlib import metadata

    packages = {d.metadata["Name"]: d for d in metadata.distributions() if d.metadata["Name"]}
    names = sorted(packages, key=str.lower)
    if subcommand == "show":
        normalized = {normalize(name) for name in wanted}
        shown = [packages[name] for name in names if normalize(name) in normalized]
        return "\n---\n".join(map(describe_package, shown)).splitlines()
    if "json" in formats:
        import json

        return [json.dumps([{"name": n, "version": packages[n].version} for n in names])]
    if subcommand == "freeze" or "freeze" in formats:
        return [f"{name}=={packages[name].version}" for name in names]
    width = max(map(len, [*names, "Package"]))
    rows = [("Package", "Version"), ("-" * width, "-------")]
    rows += [(name, packages[name].version) for name in names]
    return [f"{name:{width}} {version}" for name, version in rows]


def normalize(name):
    """Return a package's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def describe_package(package):
    """Return what `pip show` says of a package."""
    about = package.metadata
    keys = ("Name", "Version", "Summary", "Home-page", "Author", "Author-email", "License")
    requires = ", ".join(re.match(r"[\w.-]+", r)[0] for r in package.requires or ())
    lines = [f"{key}: {about[key] or ''}" for key in keys]
    return "\n".join([*lines, f"Location: {package.locate_file('')}", f"Requires: {requires}"])


def main(name, words):
    """Do what the program of that name would do, but install nothing; return the exit code."""
    name = "pip" if name == "uv" and words[:1] == ["pip"] else installer_of(name) or name
    words = words[1:] if name == "pip" and words[:1] == ["pip"] else words
    line = line_to_run(name, words)
    if line is not None:
        return run_program(line, os.environ) if line else 0
    if only_asks(name, words):
        return ask_real_program(name, words)
    tell_left_out(name, words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

"""What an attack got hold of, told by facts from outside."""

from __future__ import annotations

import sqlite3

from attack import Attack
from scene import Aftermath


def not_held(attack: Attack, after: Aftermath) -> list[str]:
    """What the attack got hold of outside its own notebook."""
    name = after.names[attack.name]
    published = after.published(name)
    told = after.told(name)
    got = [f"read {place}" for place, secret in after.scene.secrets.items() if secret in published]
    got += [f"{what}: {end[5:60]}" for what, end in (told or {}).items() if end.startswith("DONE")]
    got += [f"left {place}" for place in after.escaped(name)]
    got += ["reached a listener" for word in after.scene.heard if word == name.encode()][:1]
    if attack.tells and told is None:
        got.append("did not come to its end, so nothing is known")
    if attack.name == "others-killed" and "bystander" not in after.alive:
        got.append("killed a process outside")
    got += [f"wrote to the gradebook: {word}" for word in _entries_of(name, after)]
    return got


def _entries_of(name: str, after: Aftermath) -> list[str]:
    with sqlite3.connect(after.out / "gradebook.db") as book:
        found = book.execute("SELECT name FROM meta WHERE name LIKE ?", [f"%{name}%"]).fetchall()
    return [word for (word,) in found]

"""Table `administrators`, and the hashing of its passwords."""

from __future__ import annotations

from functools import partial

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from appliance.store import administrators
from appliance.store.administrators import hash_password, verify_password
from appliance.store.store import Store


def test_a_hash_says_how_it_was_made_and_is_never_the_same() -> None:
    one, two = hash_password("correct horse"), hash_password("correct horse")
    assert one.startswith("$argon2id$v=19$m=32768,t=3,p=1$")
    assert one != two
    assert verify_password("correct horse", one)
    assert not verify_password("correct hors", one)


def test_a_hash_with_other_parameters_still_counts() -> None:
    # Argon2id of "password" with m=64, t=1, p=1 and the salt "somesalt".
    older = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"
    made = _hash_with(64, 1)
    assert made.startswith(older)
    assert verify_password("password", made)


async def test_an_administrator_is_put_and_found(store: Store) -> None:
    assert not await store.run(administrators.any_exists)
    assert await store.run(lambda db: administrators.password_hash(db, "admin")) is None
    for hashed in ("first", "second"):
        await store.run(partial(administrators.put, name="admin", hashed=hashed))
        assert await store.run(lambda db: administrators.password_hash(db, "admin")) == hashed
    assert await store.run(administrators.any_exists)


def _hash_with(memory: int, passes: int) -> str:
    kdf = Argon2id(salt=b"somesalt", length=32, iterations=passes, lanes=1, memory_cost=memory)
    return kdf.derive_phc_encoded(b"password")

"""DPoP proofs of requests: each is taken once, on whichever node."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sealwright.db import Transaction, WriteBatcher, first_uses
from sealwright.keys import Sealer
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.dpop import store
from sealwright.oauth.dpop.nonces import Nonces
from sealwright.oauth.dpop.proof import ALGORITHMS, ProofRefused, read_proof


class NonceNeeded(ProofRefused):
    """The proof needs a nonce of this server, or has an expired one."""


class DpopProofs:
    """Reads proofs, and notes them as used."""

    def __init__(self, dependencies: OAuthDependencies, sealer: Sealer) -> None:
        self._clock = dependencies.clock
        self.nonces = Nonces(sealer, dependencies.clock)
        self._batcher: WriteBatcher[store.UsedProof, bool] = WriteBatcher(dependencies.db, self._use)

    async def verify(
        self,
        text: str,
        *,
        method: str,
        urls: Sequence[str],
        access_token: str | None = None,
        needs_nonce: bool = False,
        algorithms: frozenset[str] = ALGORITHMS,
    ) -> str:
        """The thumbprint of the key that signed it; raises ProofRefused, or NonceNeeded. The proof is then used up."""
        proof = read_proof(
            text, method=method, urls=urls, access_token=access_token, now=self._clock.now(), algorithms=algorithms
        )
        if (needs_nonce or proof.nonce is not None) and not self.nonces.is_good(proof.nonce or ""):
            raise NonceNeeded("The DPoP proof needs the nonce that the header DPoP-Nonce of this response holds.")
        digest = hashlib.sha256(f"{proof.thumbprint}:{proof.id}".encode("utf-8", "surrogatepass")).digest()
        if not await self._batcher.add(store.UsedProof(digest, proof.until)):
            raise ProofRefused("The DPoP proof was used before; make a new one for each request.")
        return proof.thumbprint

    @staticmethod
    async def _use(tx: Transaction, proofs: Sequence[store.UsedProof]) -> Sequence[bool]:
        unused = await store.use(tx, {each.digest: each for each in proofs}.values())
        return first_uses((each.digest for each in proofs), unused)

"""Assistants over the network: the tools of `mcp` behind an address of the API, as whoever sends a credential."""

from sealwright.api.assistants.http import AssistantDependencies, AssistantEndpoint

__all__ = ["AssistantDependencies", "AssistantEndpoint"]

"""Assistants over the network: the tools of `mcp` behind an address of the API, as the one whose credential is sent."""

from sealwright.api.assistants.http import AssistantDependencies, AssistantEndpoint

__all__ = ["AssistantDependencies", "AssistantEndpoint"]

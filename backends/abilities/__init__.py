"""What an engine may be able to do beyond listing and lifecycle: one abstract class for each ability.

`Backend.ability` gives what does it for an engine, `EngineInfo.abilities` names those it has.
"""

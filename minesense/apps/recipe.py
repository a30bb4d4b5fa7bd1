"""The scenario, and the field, that the words of a command describe."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from pathlib import Path

from ..synthetic import Field, Scenario, field, read_scenario, scenario


def make_field(options: Namespace) -> Field:
    """
    Make the field that the options of a command describe.

    Parameters
    ----------
    options : argparse.Namespace
        With scenario, training_lanes, blind_lanes and seed.

    Returns
    -------
    field : Field
        The field.

    Raises
    ------
    ValueError
        If the scenario is neither a preset nor a readable TOML file, or a number of lanes
        is out of range.
    """
    recipe = read_recipe(options.scenario)
    changes = {
        name: count
        for name, count in (
            ("training", options.training_lanes),
            ("blind", options.blind_lanes),
        )
        if count is not None
    }
    lanes = dataclasses.replace(recipe.lanes, **changes)
    return field(dataclasses.replace(recipe, lanes=lanes), seed=options.seed)


def read_recipe(name: str) -> Scenario:
    """
    Return the scenario that a command names.

    Parameters
    ----------
    name : str
        Of a preset, or a TOML file.

    Returns
    -------
    recipe : Scenario
        The scenario.

    Raises
    ------
    ValueError
        If it is neither a preset nor a readable TOML file.
    OSError
        If the file cannot be read.
    """
    return read_scenario(Path(name)) if name.endswith(".toml") else scenario(name)

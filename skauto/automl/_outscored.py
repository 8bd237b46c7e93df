"""Says it where a row of the leaderboard outscores the ensemble, and by what the ensemble was selected."""

import pandas as pd


def outscored(board: pd.DataFrame, selected_by: str) -> list[str]:
    """A line where a trial has a greater score than the ensemble that predicts, none elsewhere.

    Parameters
    ----------
    board : Leaderboard
        With its details, as `leaderboard` gives it.
    selected_by : str
        What the members of the ensemble were selected by.
    """
    top, (_, ensemble) = board.iloc[0], next(board[board["trial"] == -1].iterrows())
    if len(ensemble["params"]) < 2 or not top["score"] > ensemble["score"]:
        return []
    return [
        f"{top['candidate']} (trial {top['trial']}) has a score of {top['score']:.4f}, the ensemble that predicts "
        f"{ensemble['score']:.4f}: its members were selected by {selected_by}, which a few rows move less"
    ]

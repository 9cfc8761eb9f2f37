"""Tasks that watch themselves with `sys.monitoring`, where there is one."""
import multiprocessing
import sys

monitoring = getattr(sys, "monitoring", None)


def observed(number):
    """Which events somebody asked for globally, and whether the tool of this number is free."""
    if monitoring is None:
        return [], True
    asked = [monitoring.get_events(tool) for tool in range(6) if monitoring.get_tool(tool)]
    monitoring.use_tool_id(number, "own")
    monitoring.free_tool_id(number)
    return [events for events in asked if events], True


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map(observed, [0, 3]))

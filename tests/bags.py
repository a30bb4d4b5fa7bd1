"""Bags of coil messages, fixes and odometry, written by rosbags."""

import numpy as np

from minesense.io.bag_messages import COIL, FIX, ODOMETRY, make_typestore


def write_bag(folder, coils, *, kind="mcap", fixes=(), odometry=(), topic="/coils"):
    """Write (time, left, right), (time, lat, lon, height, status) and (time, x, y, z)."""
    from rosbags.rosbag1 import Writer as Writer1  # noqa: PLC0415 - an extra
    from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: PLC0415

    store = make_typestore(ros1=kind == "ros1")
    types = store.types

    def header(time, frame):
        stamp = types["builtin_interfaces/msg/Time"](
            sec=int(time), nanosec=round((time - int(time)) * 1e9)
        )
        extra = {"seq": 0} if kind == "ros1" else {}
        return types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame, **extra)

    messages = []
    for time, left, right in coils:
        message = types[COIL](header=header(time, "coils"), left_coil=left, right_coil=right)
        messages.append((time, topic, COIL, message))
    for time, latitude, longitude, height, state in fixes:
        status = types["sensor_msgs/msg/NavSatStatus"](status=state, service=1)
        message = types[FIX](
            header=header(time, "gps"),
            status=status,
            latitude=latitude,
            longitude=longitude,
            altitude=height,
            position_covariance=np.zeros(9),
            position_covariance_type=0,
        )
        messages.append((time, "/fix", FIX, message))
    for time, x, y, z in odometry:
        point = types["geometry_msgs/msg/Point"](x=x, y=y, z=z)
        turn = types["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0)
        zero = types["geometry_msgs/msg/Vector3"](x=0.0, y=0.0, z=0.0)
        message = types[ODOMETRY](
            header=header(time, "map"),
            child_frame_id="base",
            pose=types["geometry_msgs/msg/PoseWithCovariance"](
                pose=types["geometry_msgs/msg/Pose"](position=point, orientation=turn),
                covariance=np.zeros(36),
            ),
            twist=types["geometry_msgs/msg/TwistWithCovariance"](
                twist=types["geometry_msgs/msg/Twist"](linear=zero, angular=zero),
                covariance=np.zeros(36),
            ),
        )
        messages.append((time, "/odom", ODOMETRY, message))
    if kind == "ros1":
        path = folder / "log.bag"
        writer = Writer1(path)
        serialize = store.serialize_ros1
    else:
        path = folder / "log"
        plugin = StoragePlugin.MCAP if kind == "mcap" else StoragePlugin.SQLITE3
        writer = Writer(path, version=9, storage_plugin=plugin)
        serialize = store.serialize_cdr
    with writer:
        connections = {}
        for k, (_, name, msgtype, message) in enumerate(messages):
            if name not in connections:
                connections[name] = writer.add_connection(name, msgtype, typestore=store)
            raw = serialize(message, msgtype)
            writer.write(connections[name], 10**12 + k, raw)  # in order of arrival
    return path

"""Ends with 0 when a code server serves at HOST:PORT: `dagster api grpc-health-check` in a tenth of its time."""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECONDS = 5

(address,) = sys.argv[1:]
asked = health_pb2.HealthCheckRequest(service="DagsterApi")
try:
    answer = health_pb2_grpc.HealthStub(grpc.insecure_channel(address)).Check(asked, timeout=SECONDS)
except grpc.RpcError as error:
    sys.exit(f"{address} does not serve: {error}")
sys.exit(answer.status != health_pb2.HealthCheckResponse.SERVING)

"""The steps of a node, in the article's order."""

STEPS = (
    "cordon",
    "drain",
    "stop_kubelet",
    "stop_docker",
    "install_runtime",
    "configure_runtime",
    "start_runtime",
    "configure_kubelet",
    "start_kubelet",
    "verify_node",
    "uncordon",
    "settle",
)

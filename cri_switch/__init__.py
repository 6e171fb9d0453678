"""cri-switch: switches kubeadm clusters from Docker to containerd, node by node."""

__version__ = "0.1.0"

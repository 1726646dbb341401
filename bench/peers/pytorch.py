"""PyTorch's side of bench/peers: reads one workload a line (JSON), answers with what it measured."""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

ADAM = {}


def tensors(inputs):
    out = {}
    for name, a in inputs.items():
        kind = np.int32 if a["kind"] == "i32" else np.float32
        t = torch.from_numpy(np.fromfile(a["file"], dtype=kind).reshape(a["shape"]))
        out[name] = t.long() if kind is np.int32 else t
    return out


def gru_module(w_ih, w_hh, b_ih, b_hh):
    gru = torch.nn.GRU(w_ih.shape[1], w_hh.shape[1], batch_first=True)
    with torch.no_grad():
        for own, given in zip((gru.weight_ih_l0, gru.weight_hh_l0, gru.bias_ih_l0, gru.bias_hh_l0), (w_ih, w_hh, b_ih, b_hh)):
            own.copy_(given)
    return gru


def both_ways(leaves, g, f):
    """A function that gives y and the gradients by the leaves."""
    def run():
        y = f()
        grads = torch.autograd.grad(y, list(leaves.values()), g)
        return {"y": y.detach(), **{f"d{name}": d for name, d in zip(leaves, grads)}}
    return run


def forward_only(f):
    def run():
        with torch.no_grad():
            return {"y": f()}
    return run


class Net(torch.nn.Module):
    def __init__(self, p):
        super().__init__()
        conv = lambda name: torch.nn.Conv2d(p[f"{name}.weight"].shape[1], p[f"{name}.weight"].shape[0], 3, padding=1)
        self.conv1, self.conv2 = conv("image.conv1"), conv("image.conv2")
        self.embedding = torch.nn.Embedding(*p["text.embedding.weight"].shape, padding_idx=0)
        self.gru = gru_module(*(p[f"audio.gru.{part}_l0"] for part in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]))
        self.hidden = torch.nn.Linear(*reversed(p["head.hidden.weight"].shape))
        self.output = torch.nn.Linear(*reversed(p["head.output.weight"].shape))
        with torch.no_grad():
            for module, name in [(self.conv1, "image.conv1"), (self.conv2, "image.conv2"), (self.hidden, "head.hidden"), (self.output, "head.output")]:
                module.weight.copy_(p[f"{name}.weight"])
                module.bias.copy_(p[f"{name}.bias"])
            self.embedding.weight.copy_(p["text.embedding.weight"])

    def forward(self, image, words, audio):
        x = F.max_pool2d(torch.relu(self.conv1(image)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        mask = (words != 0).float()
        text = (self.embedding(words) * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        sound = self.gru(audio)[1][0]
        fused = torch.cat([x.flatten(1), text, sound], 1)
        return self.output(torch.relu(self.hidden(fused)))


def prepare(op, t):
    if op == "matmul":
        return lambda: {"y": t["a"] @ t["b"]}
    if op == "conv2d.forward":
        return forward_only(lambda: F.conv2d(t["x"], t["w"], padding=1))
    if op == "conv2d":
        leaves = {name: t[name].requires_grad_(True) for name in ["x", "w"]}
        return both_ways(leaves, t["g"], lambda: F.conv2d(t["x"], t["w"], padding=1))
    if op == "gru.forward":
        gru = gru_module(t["weightIh"], t["weightHh"], t["biasIh"], t["biasHh"])
        return forward_only(lambda: gru(t["x"])[1][0])
    if op == "gru":
        gru = gru_module(t["weightIh"], t["weightHh"], t["biasIh"], t["biasHh"])
        x = t["x"].requires_grad_(True)
        leaves = {"x": x, "weightIh": gru.weight_ih_l0, "weightHh": gru.weight_hh_l0, "biasIh": gru.bias_ih_l0, "biasHh": gru.bias_hh_l0}
        return both_ways(leaves, t["g"], lambda: gru(x)[1][0])
    if op == "embedding.backward":
        w = t["w"].requires_grad_(True)
        return both_ways({"w": w}, t["g"], lambda: F.embedding(t["ids"], w))
    net = Net(t)
    if op == "forward":
        return forward_only(lambda: net(t["image"], t["words"], t["audio"]))
    optimizer = torch.optim.Adam(net.parameters(), lr=ADAM["lr"], betas=(ADAM["beta1"], ADAM["beta2"]), eps=ADAM["eps"])
    losses = []
    def step():
        loss = F.cross_entropy(net(t["image"], t["words"], t["audio"]), t["label"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        return {"losses": torch.tensor(losses[:3])}
    return step


work, last = None, {}
for line in sys.stdin:
    ask = json.loads(line)
    answer = {}
    try:
        if ask["do"] == "about":
            answer = {"version": torch.__version__, "threads": torch.get_num_threads()}
        elif ask["do"] == "prepare":
            ADAM.update(ask["adam"])
            work = prepare(ask["op"], tensors(ask["inputs"]))
        elif ask["do"] == "run":
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(ask["calls"]):
                last = work()
            answer = {"wall": 1000 * (time.perf_counter() - wall), "cpu": 1000 * (time.process_time() - cpu)}
        elif ask["do"] == "outputs":
            for name, t in last.items():
                t.detach().contiguous().numpy().astype(np.float32).tofile(f"{ask['folder']}/{name}")
            answer = {"names": list(last)}
    except Exception as error:  # told to the asker, who makes an error row of it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

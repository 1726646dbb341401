import { expose } from "comlink";
import { WorkerApi } from "./api.ts";

expose(new WorkerApi());

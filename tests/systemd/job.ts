/**
 * Runs one transcode through the API of a server, and prints what became of it:  job.ts URL TOKEN CLIP [start]
 * With `start` it does not wait for the end.
 */
import { Api } from "../api.ts";

const [url = "", token = "", clip = "", how = ""] = process.argv.slice(2);
const api = new Api(url, token);
const asset = await api.add(clip);
const wanted = { video: { codec: "h264", quality: 40 } };
const started = await api.start("transcode", [asset.id], wanted);
if (how === "start") {
  console.log(JSON.stringify({ job: started }));
  process.exit();
}
const job = await api.waitFor(started.id, "succeeded", "failed", "cancelled");
const system = await api.get("/api/v1/system");
const output = job.outputs[0] === undefined ? null : await api.download(job.outputs[0]);
console.log(
  JSON.stringify({
    asset: asset.id,
    job: { id: job.id, state: job.state, error: job.error },
    outputBytes: output?.byteLength ?? 0,
    sandbox: system.body.sandbox,
  }),
);

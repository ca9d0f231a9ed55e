/** `clip`: ranges of a video as files of their own, or joined, with what people noted about them. */
import type { RenderDescription } from "../media/description.ts";
import { assert, Refusal } from "../trouble.ts";
import { type Annotated, annotationsCsv, annotationsJson } from "./annotations.ts";
import { type ClipMaterial, clipMaterial, describeClip, expectClip } from "./clip-material.ts";
import { type Span, spansOf } from "./clip-ranges.ts";
import { type ClipParams, clipSchema } from "./clip-schema.ts";
import { filmLasting } from "./lasting.ts";
import { outputName } from "./naming.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Step,
} from "./operation.ts";

export const clip = defineOperation({
  name: "clip",
  title: "Clip",
  description:
    "Takes ranges out of a video, exact to the frame: each as a file of its own, or all joined into one. Names, tags, ratings and notes of the ranges come along as JSON and CSV.",
  schema: clipSchema,
  example: {
    ranges: [
      { from: 12, to: 20.5, name: "Kick-off", tags: ["start"] },
      { from: 31, to: 44, name: "First goal", tags: ["goal", "left wing"], rating: 5 },
    ],
  },
  inputs: { min: 1, max: 1, kinds: ["video", "audio"] },
  family: "cut",
  plan,
});

function plan(params: ClipParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "clip has one input");
  if (input.media.kind === "image") {
    throw new Refusal(
      422,
      "unsuitable_input",
      "The source is a still picture, and clip works on video and sound. Choose a video.",
    );
  }
  const spans = spansOf(params.ranges, input.media);
  const material = clipMaterial(params, input.media, context);
  const clips = params.join
    ? [joinedStep(params, input, { material, spans })]
    : spans.map((span, index) => clipStep(params, input, { material, span, index }));
  return {
    steps: [...clips, ...annotationSteps(params, input, annotatedOf(params, clips, spans))],
    notes: material.notes,
  };
}

/** Numbers of clips have one width, so that names sort as the ranges stand. */
function numberOf(index: number, count: number): string {
  return String(index + 1).padStart(Math.max(2, String(count).length), "0");
}

interface OneClip {
  material: ClipMaterial;
  span: Span;
  index: number;
}

function clipStep(params: ClipParams, input: PlanInput, { material, span, index }: OneClip): Step {
  const number = numberOf(index, params.ranges.length);
  const said = params.ranges[index]?.name?.trim() ?? "";
  const name = `clip-${number}`;
  const description = describeClip(material, material.copies ? null : span, name);
  return {
    name,
    title: said === "" ? `Clip ${index + 1}` : `Clip ${index + 1}: ${said.toWellFormed()}`,
    needs: [],
    work: material.copies
      ? {
          kind: "cut",
          description: { ...description, expectedSeconds: span.seconds },
          spans: [span],
          copies: true,
          prerollSeconds: 0,
        }
      : { kind: "render", description },
    outputs: [outputOf(input, { material, description, ...span }, `${number} ${said}`.trim())],
  };
}

function joinedStep(
  params: ClipParams,
  input: PlanInput,
  { material, spans }: { material: ClipMaterial; spans: Span[] },
): Step {
  const total = spans.reduce((sum, { seconds }) => sum + seconds, 0);
  const description = describeClip(material, null, "joined");
  const { copies } = material;
  return {
    name: "join",
    title: `Join ${params.ranges.length} ${params.ranges.length === 1 ? "range" : "ranges"}`,
    needs: [],
    work: {
      kind: "cut",
      description: { ...description, expectedSeconds: total },
      spans,
      copies,
      prerollSeconds: material.prerollSeconds,
    },
    outputs: [outputOf(input, { material, description, from: null, seconds: total }, "clips")],
  };
}

interface Made {
  material: ClipMaterial;
  description: RenderDescription;
  /** In the source; null for several that are joined. */
  from: number | null;
  seconds: number;
}

function outputOf(
  input: PlanInput,
  { material, description, from, seconds }: Made,
  suffix: string,
): Step["outputs"][number] {
  const file = description.outputs[0]?.file;
  assert(file !== undefined, "a clip is a file");
  return {
    file,
    name: outputName(input.name, suffix, material.ending),
    role: "main",
    mimeType: material.mimeType,
    expectation: {
      ...expectClip(material, file, seconds),
      ...(from === null ? {} : filmLasting(input.media, material, from)),
    },
  };
}

function annotatedOf({ ranges, join }: ClipParams, clips: Step[], spans: Span[]): Annotated[] {
  let startsAt = 0;
  return ranges.map((range, index) => {
    const output = clips[join ? 0 : index]?.outputs[0];
    assert(output !== undefined, "each range is in a file");
    const annotated = { range, file: output.name, startsAt: join ? startsAt : 0 };
    startsAt += spans[index]?.seconds ?? 0;
    return annotated;
  });
}

function annotationSteps({ ranges }: ClipParams, input: PlanInput, annotated: Annotated[]): Step[] {
  const all = `${ranges.length} ${ranges.length === 1 ? "range" : "ranges"}`;
  const step = (ending: string, mimeType: string, text: string): Step => {
    const file = `annotations.${ending}`;
    return {
      name: `annotations-${ending}`,
      title: `Write the annotations of ${all} as ${ending.toUpperCase()}`,
      needs: [],
      work: { kind: "write", file, text },
      outputs: [
        {
          file,
          name: outputName(input.name, "annotations", ending),
          role: "annotations",
          mimeType,
          expectation: {
            file,
            kind: "text",
            durationSeconds: null,
            video: null,
            audioTracks: 0,
            audioCodecs: [],
          },
        },
      ],
    };
  };
  return [
    step("json", "application/json", annotationsJson(input.name, annotated)),
    step("csv", "text/csv", annotationsCsv(annotated)),
  ];
}

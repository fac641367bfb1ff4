import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Connect, Plugin } from "vite";
import { analyze, edit, yamlAt } from "./manifest.ts";
import { fakeImage, fakeTest } from "./tests.ts";

/**
 * Stands in for the server while the pages are worked on: projects in memory, edits by a YAML library,
 * tests that read nothing. The schema is that of a file named by `SCHEMA`, e.g. the output of
 * `source-declarative-manifest manifest schema`.
 */
export function fakeServer(): Plugin {
  return {
    name: "fake-server",
    configureServer: ({ middlewares }) => void middlewares.use("/api", answer),
    configurePreviewServer: ({ middlewares }) => void middlewares.use("/api", answer),
  };
}

interface Project {
  id: string;
  name: string;
  texts: string[];
  at: number;
  revision: number;
  versions: { version: number; description: string; published_at: string; text: string }[];
  active: number | null;
  values: Record<string, unknown>;
  created: string;
  updated: string;
}

const projects = new Map<string, Project>();
const now = () => new Date().toISOString();

export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly more: object = {},
  ) {
    super(message);
  }
}

const draft = (project: Project) => ({
  text: project.texts[project.at] ?? "",
  revision: project.revision,
  can_undo: project.at > 0,
  can_redo: project.at < project.texts.length - 1,
  saved_at: project.updated,
});

const head = (project: Project) => ({
  id: project.id,
  name: project.name,
  created_at: project.created,
  updated_at: project.updated,
  active_version: project.active,
  forked_from: null,
});

type Body = Record<string, never> & { text: string };

function onProject(project: Project, method: string, rest: string, body: Body): unknown {
  switch (`${method} ${rest}`) {
    case "GET ":
      return { ...head(project), draft: draft(project), versions: project.versions };
    case "PATCH ":
      project.name = body["name"] ?? project.name;
      return {};
    case "DELETE ":
      projects.delete(project.id);
      return {};
    case "PUT /draft":
      if (body["revision"] !== project.revision)
        throw new Refusal(409, "The draft was changed elsewhere.", { draft: draft(project) });
      project.texts = [...project.texts.slice(0, project.at + 1), body.text];
      project.at += 1;
      project.revision += 1;
      project.updated = now();
      return draft(project);
    case "POST /undo":
      project.at = Math.max(0, project.at - 1);
      project.revision += 1;
      return draft(project);
    case "POST /redo":
      project.at = Math.min(project.texts.length - 1, project.at + 1);
      project.revision += 1;
      return draft(project);
    case "POST /versions": {
      const version = project.versions.length + 1;
      project.versions.push({
        version,
        description: body["description"] ?? "",
        published_at: now(),
        text: draft(project).text,
      });
      if (body["activate"]) project.active = version;
      return { version };
    }
    case "POST /active":
      project.active = body["version"] ?? null;
      return {};
    case "GET /testing_values":
      return { values: project.values, secrets: [], saved: Object.keys(project.values).length > 0 };
    case "PUT /testing_values":
      project.values = body["values"] ?? {};
      return {};
    case "GET /diff":
      return {
        lines: draft(project)
          .text.split("\n")
          .map((text, index) => ({ kind: index % 9 ? "same" : "added", text, from_line: index, to_line: index + 1 })),
      };
    case "POST /generate":
      return {
        streams: [
          {
            name: "generated_a",
            dynamic_stream_name: "template_1",
            definition: { type: "DeclarativeStream", name: "generated_a" },
          },
        ],
      };
    default:
      throw new Refusal(404, `The stand-in does not know ${method} ${rest}.`);
  }
}

/** The server's own beginning of a connector. */
function skeleton(url: string): string {
  const text = readFileSync(join(process.cwd(), "../src/builder/api/skeleton.yaml"), "utf8");
  return text.replace('url: ""', `url: ${JSON.stringify(url)}`);
}

function onWorkspace(method: string, id: string | undefined, rest: string, body: Body): unknown {
  if (id === undefined) {
    if (method === "GET")
      return [...projects.values()].map((project) => ({
        ...head(project),
        latest_version: project.versions.at(-1)?.version ?? null,
        changed_since_version: false,
      }));
    const made: Project = {
      id: crypto.randomUUID(),
      name: body["name"] ?? "New",
      texts: [body.text ?? skeleton(body["url"] ?? "")],
      at: 0,
      revision: 1,
      versions: [],
      active: null,
      values: {},
      created: now(),
      updated: now(),
    };
    projects.set(made.id, made);
    return { ...head(made), draft: draft(made), versions: [] };
  }
  const project = projects.get(id);
  if (!project) throw new Refusal(404, "There is no such project.");
  return onProject(project, method, rest, body);
}

function onText(name: string, body: Body): unknown {
  switch (name) {
    case "session":
      return { user_trusted: true, custom_components: true, version: "dev" };
    case "schema":
      return JSON.parse(readFileSync(process.env["SCHEMA"] ?? join(process.cwd(), "dev/schema.json"), "utf8"));
    case "analyze":
      return analyze(body.text);
    case "edit":
      return { text: edit(body.text, body["edits"] ?? []) };
    case "yaml":
      return { yaml: yamlAt(body.text, body["path"] ?? []) };
    case "complete":
      return { from_column: 1, items: [] };
    case "locate":
      return { line: 1, column: 1, end_line: 1, end_column: 1 };
    default:
      return null;
  }
}

async function read(request: IncomingMessage): Promise<Body> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return (text ? JSON.parse(text) : {}) as Body;
}

const answer: Connect.NextHandleFunction = (request: IncomingMessage, response: ServerResponse) => {
  const respond = async () => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const body = await read(request);
    const found = /^\/workspaces\/[^/]+\/projects(?:\/([^/]+)(\/.*)?)?$/.exec(url.pathname);
    if (found?.[2] === "/tests") return fakeTest(response);
    if (found?.[2] === "/image") return fakeImage(response, body["tag"] ?? "");
    const answered = found
      ? onWorkspace(request.method ?? "GET", found[1], found[2] ?? "", body)
      : onText(url.pathname.slice(1), body);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answered));
  };
  respond().catch((error: unknown) => {
    response.statusCode = error instanceof Refusal ? error.status : 400;
    response.end(
      JSON.stringify({
        error: { code: "fake", message: String(error instanceof Error ? error.message : error) },
        ...(error instanceof Refusal ? error.more : {}),
      }),
    );
  });
};

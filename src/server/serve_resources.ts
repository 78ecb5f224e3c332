import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, type Server } from "@modelcontextprotocol/server";
import { TaskError } from "../task/errors.ts";
import { cutInner } from "../tools/bounded_text.ts";
import type { ResourceTemplate } from "./resource_templates.ts";
import type { Resource } from "./resources.ts";
import { parseTaskUri, TASKS_URI } from "./task_uri.ts";

const MIME_TYPE = "application/json";
/** Longest URI that is repeated in words, in characters. */
const MAX_URI = 200;

/** Lists the resources and lets clients read them. */
export function serveResources(
  server: Server,
  { resources, templates }: {
    readonly resources: readonly Resource[];
    readonly templates: readonly ResourceTemplate[];
  },
): void {
  server.setRequestHandler("resources/list", () => ({
    resources: resources.map(({ uri, name, description }) => ({ uri, name, description, mimeType: MIME_TYPE })),
  }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: templates.map(({ uriTemplate, name, description }) => ({
      uriTemplate,
      name,
      description,
      mimeType: MIME_TYPE,
    })),
  }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    const resource = resources.find((known) => known.uri === uri);
    const text = resource === undefined
      ? await readTask(uri, templates)
      : JSON.stringify(await resource.read(), null, 2);
    return { contents: [{ uri, mimeType: MIME_TYPE, text }] };
  });
}

/** What to throw for a resource that there is not. */
export function unknownResource(uri: string): ResourceNotFoundError {
  return new ResourceNotFoundError(
    uri,
    `Unknown resource: ${cutInner(uri, MAX_URI)}. ${TASKS_URI} lists the tasks that are known, resources/list and ` +
      "resources/templates/list what can be read.",
  );
}

async function readTask(uri: string, templates: readonly ResourceTemplate[]): Promise<string> {
  const task = parseTaskUri(uri);
  const template = templates.find(({ part }) => part === task?.part);
  if (task === null || template === undefined) throw unknownResource(uri);
  try {
    return await template.read(task.id, task.after);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    if (error.code === "unknown_task") throw unknownResource(uri);
    const isOfCaller = error.code === "invalid_argument";
    throw new ProtocolError(
      isOfCaller ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError,
      error.message,
    );
  }
}

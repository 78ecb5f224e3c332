import { ResourceNotFoundError, type Server } from "@modelcontextprotocol/server";
import type { Resource } from "./resources.ts";

/** Lists the resources and lets clients read them. */
export function serveResources(server: Server, { resources }: { readonly resources: readonly Resource[] }): void {
  server.setRequestHandler("resources/list", () => ({
    resources: resources.map(({ uri, name, description }) => ({
      uri,
      name,
      description,
      mimeType: "application/json",
    })),
  }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [] }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    const resource = resources.find((known) => known.uri === uri);
    if (resource === undefined) throw new ResourceNotFoundError(uri, `Unknown resource: ${uri}`);
    const text = JSON.stringify(await resource.read(), null, 2);
    return { contents: [{ uri, mimeType: "application/json", text }] };
  });
}

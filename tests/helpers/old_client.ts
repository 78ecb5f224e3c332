/** A client of the 1.x SDK, the line that today's clients ship. Only here is it imported: its types need naming. */
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { ServerProcess } from "./server_process.ts";

/** Connects such a client to a server. Closing the client ends the server. */
export async function connectOldClient(process: ServerProcess, clientName = "test"): Promise<Client> {
  const client = new Client({ name: clientName, version: "1.0.0" });
  await client.connect(process);
  return client;
}

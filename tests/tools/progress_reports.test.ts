import assert from "node:assert/strict";
import { reportProgress } from "../../src/tools/progress_reports.ts";
import type { ToolCall } from "../../src/tools/tool.ts";
import { toolCall } from "../helpers/tool_calls.ts";

function callInto(reports: string[]): ToolCall {
  return toolCall({
    report(message): Promise<void> {
      reports.push(message);
      return Promise.resolve();
    },
  });
}

Deno.test("reportProgress() reports at once", async () => {
  const reports: string[] = [];
  const described = Promise.withResolvers<void>();
  {
    await using _reports = reportProgress(callInto(reports), () => {
      described.resolve();
      return Promise.resolve("1/2 done");
    });
    await described.promise;
    await Promise.resolve();
  }
  assert.deepEqual(reports, ["1/2 done"]);
});

Deno.test("reportProgress() reports nothing once it is disposed, however late a description comes", async () => {
  const reports: string[] = [];
  const description = Promise.withResolvers<string>();
  const progress = reportProgress(callInto(reports), () => description.promise);
  const disposed = progress[Symbol.asyncDispose]();
  description.resolve("too late");
  await disposed;
  assert.deepEqual(reports, []);
});

Deno.test("reportProgress() survives a description that fails", async () => {
  const reports: string[] = [];
  await using _reports = reportProgress(callInto(reports), () => Promise.reject(new Error("gone")));
  assert.deepEqual(reports, []);
});

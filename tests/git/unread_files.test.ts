import assert from "node:assert/strict";
import { unreadFiles } from "../../src/git/unread_files.ts";

const WORDS: readonly { readonly said: string; readonly exitCode: number; readonly unread: readonly string[] }[] = [
  { said: "", exitCode: 0, unread: [] },
  { said: "find: './data': Permission denied\n", exitCode: 123, unread: ["data"] },
  { said: "find: './gone': No such file or directory\n", exitCode: 123, unread: [] },
  { said: "tar: ./a.log: file changed as we read it\n", exitCode: 1, unread: [] },
  { said: "/usr/bin/tar: ./a.log: File removed before we read it\n", exitCode: 1, unread: [] },
  { said: "tar: ./a.log: File shrank by 12 bytes; padding with zeros\n", exitCode: 1, unread: [] },
  {
    said: "tar: ./gone: Cannot stat: No such file or directory\ntar: ./own: Cannot open: Permission denied\n" +
      "tar: Exiting with failure status due to previous errors\n",
    exitCode: 2,
    unread: ["own"],
  },
  {
    said: "tar: ./gone: Cannot stat: No such file or directory\ntar: Error exit delayed from previous errors.\n",
    exitCode: 1,
    unread: [],
  },
];

for (const { said, exitCode, unread } of WORDS) {
  Deno.test(`unreadFiles() gives what could not be read of ${JSON.stringify(said)}`, () => {
    assert.deepEqual(unreadFiles("tar", { exitCode, stdout: "", stderr: said }), unread);
  });
}

Deno.test("unreadFiles() throws where a program failed for anything else", () => {
  for (
    const stderr of [
      "",
      "tar: ignored.tar.new: Cannot write: No space left on device\ntar: Error is not recoverable: exiting now\n",
      "find: './data': Permission denied\nfind: './x': Input/output error\n",
    ]
  ) assert.throws(() => unreadFiles("tar", { exitCode: 2, stdout: "", stderr }), /^GitError: tar failed/);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { shortOfRoom } from "../../src/storage/room.ts";
import { CAN_MOUNT, smallDisk } from "../helpers/small_disk.ts";

Deno.test(
  { name: "shortOfRoom() tells of a disk that is nearly full of bytes or files", ignore: !CAN_MOUNT },
  async () => {
    await using disk = await smallDisk();
    const place = join(disk.path, "not", "there yet");
    assert.equal(await shortOfRoom(place), null);
    for (
      const [what, says] of [["bytes", /^only 0 MiB of its disk are free$/], ["inodes", /^only 0 more files/]] as const
    ) {
      await disk.fill(what);
      assert.match(await shortOfRoom(place) ?? "", says);
      await disk.clear();
      assert.equal(await shortOfRoom(place), null);
    }
  },
);

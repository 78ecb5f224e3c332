import { ResourceUpdates, type UpdateListener } from "../../src/server/resource_updates.ts";

/** Updates of which one resource cannot be watched, and which know how many watches there are. */
export class BreakingUpdates extends ResourceUpdates {
  failsAt: string | undefined;
  watches = 0;

  override watch(uri: string, listener: UpdateListener): Disposable {
    if (uri === this.failsAt) throw new Error("broken");
    const watch = super.watch(uri, listener);
    this.watches++;
    return {
      [Symbol.dispose]: (): void => {
        watch[Symbol.dispose]();
        this.watches--;
      },
    };
  }
}

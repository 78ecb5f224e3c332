/** Sees to it that one server at a time stands at the path of a Unix socket, also of several that start in one moment. */

/**
 * Gives the right to listen at a path, until it is disposed, and removes what a server has left there that was killed.
 * Throws an error with the code `EADDRINUSE` where somebody listens.
 */
export async function claimSocket(path: string): Promise<Disposable> {
  using begun = new DisposableStack();
  begun.use(takeLock(`${path}.lock`));
  await removeDeadSocket(path);
  return begun.move();
}

/** The kernel ends it with the process, however that ends. */
function takeLock(path: string): Disposable {
  while (true) {
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
    try {
      if (!file.tryLockSync(true)) throw inUse();
      if (isAt(path, file)) return { [Symbol.dispose]: () => removeLock(path, file) };
    } catch (error) {
      file.close();
      throw error;
    }
    // Its last holder has removed it in the meantime: it locks nothing any more.
    file.close();
  }
}

function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    const [there, ours] = [Deno.lstatSync(path), file.statSync()];
    return there.dev === ours.dev && there.ino === ours.ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** While it is held still: nobody else's is removed. */
function removeLock(path: string, file: Deno.FsFile): void {
  try {
    if (isAt(path, file)) Deno.removeSync(path);
  } catch {
    // It may lie there: the next server takes it.
  } finally {
    file.close();
  }
}

async function removeDeadSocket(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch(() => null);
  if (found === null) return;
  if (found.isSocket !== true) throw new Error("something else stands there");
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return await Deno.remove(path);
    if (error instanceof Deno.errors.NotFound) return;
    // So many want to be served by who listens there that no more find room.
    if (!(error instanceof Deno.errors.WouldBlock)) throw error;
  }
  throw inUse();
}

function inUse(): Error {
  return Object.assign(new Error("another server listens there"), { code: "EADDRINUSE" });
}

/** The state of a process in words, from the letter that /proc has for it; those of codex-as-mcp where it had some. */
export function processStateWords(state: string | undefined): string {
  switch (state) {
    case "R":
      return "running";
    case "S":
    case "I":
      return "sleeping";
    case "D":
      return "disk-wait";
    case "Z":
      return "zombie";
    case "T":
    case "t":
      return "stopped";
    default:
      return state ?? "unknown";
  }
}

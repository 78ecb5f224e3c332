/** What this program is: main.ts alone knows its file. */
export interface Program {
  readonly version: string;
  /** The file of its main module; none in a program without files. */
  readonly script: string | undefined;
  /** Where its sources, or its bundle, lie. */
  readonly directory: string | undefined;
  /** The command line by which its sources are started. */
  readonly startTask: string;
}

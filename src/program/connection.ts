/** Who can be served, how that is stopped and ended. */
export interface Connection {
  /** Settles when nobody is left to be served. */
  readonly left: Promise<void>;
  /** Takes no more clients. */
  stop?(): void;
  close(): Promise<void>;
}

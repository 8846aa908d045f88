// A value within a field that QEMU's description shows no fields of: what it is called, where it lies in the
// field, and what it says.

export interface InnerValue {
  readonly name: string
  /** From the start of the field, in bytes. */
  readonly at: number
  readonly size: number
  /** A bigint has 8 bytes; bytes are those that nobody can take apart. */
  readonly value: number | bigint | boolean | Uint8Array
}

/** What is inside of a field; nothing if it is not what it should be. */
export type InnerReader = (bytes: Uint8Array) => InnerValue[]

// What a format gives to the fuzzer.

export interface FuzzTarget {
  /** As --format names it. */
  readonly name: string
  readonly what: string
  /** Longer inputs are not tried. */
  readonly inputBytesMax: number
  /** Small inputs of our own making, sound ones. */
  seeds(): readonly Uint8Array[]
  /** Inputs that have this stream in them, where an input is more than a stream. */
  readonly ask?: (stream: Uint8Array) => readonly Uint8Array[]
  /**
   * Takes whatever bytes come. Returns what came of them in a word, most often the code of an error. Raises what must
   * not happen: an error without a code, or two readers that do not agree.
   */
  run(bytes: Uint8Array): string
  /** Most that one input may make it do: branches taken and bytes allocated, for all and for each byte. */
  readonly bounds: Bounds
}

export interface Bounds {
  readonly steps: number
  readonly stepsPerByte: number
  readonly allocated: number
  readonly allocatedPerByte: number
}

// The numbers of WebAssembly's binary format that every reader of a module needs (core specification, 5.5).

export const WASM_PAGE_BYTES = 65536

/** Section numbers (core specification, 5.5.2; 13 is the tag section of exception handling). */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const

/** The order in which sections stand in a module. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]

/** The numbers by which imports and exports say what they are. */
export const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const

export interface Span {
  readonly start: number
  readonly end: number
}

// The part of the WebAssembly JavaScript interface that is used here. TypeScript declares it only in the library
// of the browser's DOM, which would bring all of that along. It is part of the engine and not of Node.

export interface WasmModule {
  readonly kind?: 'module'
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}

export interface WasmMemory {
  readonly buffer: ArrayBufferLike
  /** By WebAssembly pages of 64 KiB. Throws when the maximum is passed. */
  grow(pages: number): number
}

export interface WasmGlobal {
  value: number | bigint
}

interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: object) => WasmInstance
  readonly Memory: new (descriptor: {
    initial: number
    maximum: number
    shared?: boolean
  }) => WasmMemory
  readonly RuntimeError: new (message: string) => Error
  validate(bytes: Uint8Array): boolean
}

declare const WebAssembly: WebAssemblyInterface

const ofEngine = WebAssembly
export { ofEngine as WebAssembly }

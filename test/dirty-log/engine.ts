// The part of the WebAssembly JavaScript interface that these tests use; neither es2023 nor Node's types
// declare it.

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export type WasmFunction = (...args: (number | bigint)[]) => number | bigint | undefined

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}

interface WebAssemblyInterface {
  readonly Module: (new (bytes: Uint8Array) => object) & {
    imports(module: object): { module: string; name: string; kind: string }[]
    exports(module: object): { name: string; kind: string }[]
  }
  readonly Instance: new (module: object, imports: object) => WasmInstance
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory
  readonly Global: new (type: { value: string; mutable?: boolean }, value: number) => object
  validate(bytes: Uint8Array): boolean
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyInterface }

export const functionOf = (instance: WasmInstance, name: string): WasmFunction =>
  instance.exports[name] as WasmFunction

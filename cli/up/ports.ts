// The ports of a pair on this machine. Free ones are looked for below the range from which the kernel takes the
// local ports of outgoing connections: a port of that range may be somebody's at the moment when a killed
// daemon wants it back.

import { createServer } from 'node:net'
import { CliError } from '../../terminal/exit-codes.ts'

const LOWEST = 20_000
const HIGHEST = 30_000
const TRIES = 200

export const HOST = '127.0.0.1'

const at = (port: number) => `${HOST}:${port}`

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}

export async function freePort(taken: Set<number>): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (taken.has(port) || !(await isFree(port))) continue
    taken.add(port)
    return port
  }
  throw new CliError('usage', `no free port between ${LOWEST} and ${HIGHEST} on ${HOST}`)
}

export interface SidePorts {
  readonly control: string
  readonly data: string
  readonly clients: string
}

/** `base`: clients come to it and to the next one; undefined takes free ones. */
export async function choosePorts(base: number | undefined): Promise<Record<'a' | 'b', SidePorts>> {
  const taken = new Set<number>()
  const side = async (clients: number | undefined): Promise<SidePorts> => {
    if (clients !== undefined && !(await isFree(clients))) {
      const way = 'give another --port, or --port auto for free ones'
      throw new CliError('usage', `${HOST}:${clients} is in use: ${way}`)
    }
    const [control, data] = [await freePort(taken), await freePort(taken)]
    return { control: at(control), data: at(data), clients: at(clients ?? (await freePort(taken))) }
  }
  return { a: await side(base), b: await side(base === undefined ? undefined : base + 1) }
}

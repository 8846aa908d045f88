// Addresses as the command line and the control channel write them: host:port, or [v6]:port.

export interface Address {
  readonly host: string
  readonly port: number
}

/** Throws when it is none: the message names what is wrong. */
export function splitAddress(address: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address)
  const port = Number(match?.[3])
  if (match === null || port > 65535) {
    throw new Error(
      `${JSON.stringify(address)} is no address: write host:port, such as 127.0.0.1:7380`,
    )
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

export function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A peer that listens on every interface is dialled where its control channel was. */
export function reachable(address: string, peer: string): string {
  const { host, port } = splitAddress(address)
  return host === '0.0.0.0' || host === '::' ? joinAddress(splitAddress(peer).host, port) : address
}

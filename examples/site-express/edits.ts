/** A page that is rendered once, until an edit or an import evicts it by its tag. */

export async function showEdits(url: string, say: (line: string) => void): Promise<void> {
  const show = async (path: string): Promise<void> => {
    const response = await fetch(url + path)
    const status = response.headers.get('Cache-Status')?.replace(/; ttl=\d+/, '')
    say(`${path}: ${await response.text()} (${status})`)
  }
  const send = async (method: string, path: string, body: object): Promise<void> => {
    const headers = { 'Content-Type': 'application/json' }
    await fetch(url + path, { method, headers, body: JSON.stringify(body) })
    say(`${method} ${path}`)
  }
  await Promise.all(['/products/42', '/products/42', '/products/42'].map(show))
  await send('PUT', '/products/42', { name: 'Quince jam', price: 520 })
  await show('/products/42')
  await send('POST', '/import', { id: '42', name: 'Quince jam', price: 550 })
  await show('/products/42')
  await show('/products/42')
}

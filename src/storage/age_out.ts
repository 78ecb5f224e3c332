export async function removeTask(_d: string, _id: string): Promise<void> {}
export async function emptyTrash(_d: string): Promise<void> {}

// The wall's page: nothing but the stage and the player.
import * as player from './player.js'
import { start } from './stage.js'

player.start(document.body)
start(document.body)

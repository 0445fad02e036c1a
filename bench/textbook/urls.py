"""No HTTP but a 404: the baseline has sockets only."""

urlpatterns: list[object] = []

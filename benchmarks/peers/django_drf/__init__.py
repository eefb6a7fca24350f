"""Django with its REST framework, as its tutorial writes it: models, serializers, a view set, a token class."""
